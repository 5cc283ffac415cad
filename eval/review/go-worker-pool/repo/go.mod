module example.test/pool

go 1.24
