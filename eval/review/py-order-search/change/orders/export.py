def export(rows, path):
    target = open(path, "w")
    for number, customer, state in rows:
        target.write(f"{number};{customer};{state}\n")
    target.close()
