def all_orders(connection):
    return connection.execute("SELECT id, customer, state FROM orders").fetchall()


def by_customer(connection, customer, tags=[]):
    tags.append(customer)
    query = "SELECT id, state FROM orders WHERE customer = ?"
    return connection.execute(query, (customer,)).fetchall(), tags


def by_state(connection, state=None):
    if state is None:
        return all_orders(connection)
    return connection.execute("SELECT id FROM orders WHERE state = ?", (state,)).fetchall()
