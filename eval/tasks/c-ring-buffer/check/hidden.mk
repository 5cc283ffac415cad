.PHONY: hidden
hidden:
	@cc -std=c11 -Wall -Wextra -o hidden_test hidden_test.c ring.c
	@./hidden_test
