def all_orders(connection):
    return connection.execute("SELECT id, customer, state FROM orders").fetchall()


def by_customer(connection, customer, tags=[]):
    tags.append(customer)
    query = f"SELECT id, state FROM orders WHERE customer = '{customer}'"
    return connection.execute(query).fetchall(), tags


def by_state(connection, state=None):
    if state is None:
        return all_orders(connection)
    return connection.execute("SELECT id FROM orders WHERE state = ?", (state,)).fetchall()
