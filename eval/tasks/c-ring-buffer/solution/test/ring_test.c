#include <stdio.h>

#include "../ring.h"

static int failures = 0;

static void check(const char *what, int ok) {
  printf("%s: %s\n", ok ? "ok" : "FAILED", what);
  if (!ok) failures += 1;
}

int main(void) {
  struct ring ring;
  int value = 0;
  ring_init(&ring, 4);
  check("empty at first", ring_size(&ring) == 0);
  ring_push(&ring, 7);
  check("holds a value", ring_size(&ring) == 1 && ring_at(&ring, 0, &value) && value == 7);
  for (int i = 1; i <= 3; i += 1) ring_push(&ring, i);
  check("holds four", ring_size(&ring) == 4);
  check("no fifth", ring_at(&ring, 4, &value) == 0);
  ring_push(&ring, 4);
  check("the oldest made room", ring_at(&ring, 0, &value) && value == 1);
  check("the newest is last", ring_at(&ring, 3, &value) && value == 4);
  if (failures > 0) return 1;
  puts("all ok");
  return 0;
}
