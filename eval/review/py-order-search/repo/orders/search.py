def all_orders(connection):
    return connection.execute("SELECT id, customer, state FROM orders").fetchall()
