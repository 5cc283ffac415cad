#include <stdio.h>

#include "ring.h"

static int failures = 0;

static void check(const char *what, int ok) {
  printf("%s: %s\n", ok ? "ok" : "FAILED", what);
  if (!ok) failures += 1;
}

static int holds(const struct ring *ring, int from, int to) {
  if (ring_size(ring) != (size_t)(to - from + 1)) return 0;
  for (int i = from; i <= to; i += 1) {
    int value = -1;
    if (ring_at(ring, (size_t)(i - from), &value) != 1 || value != i) return 0;
  }
  return 1;
}

int main(void) {
  struct ring ring;
  int value = -5;
  ring_init(&ring, 4);
  check("nothing in an empty one", ring_at(&ring, 0, &value) == 0 && value == -5);
  for (int i = 1; i <= 4; i += 1) ring_push(&ring, i);
  check("full", holds(&ring, 1, 4));
  check("index too large", ring_at(&ring, 4, &value) == 0 && value == -5);
  for (int i = 5; i <= 7; i += 1) ring_push(&ring, i);
  check("after the first wrap-around", holds(&ring, 4, 7));
  for (int i = 8; i <= 99; i += 1) ring_push(&ring, i);
  check("after many", holds(&ring, 96, 99));
  ring_init(&ring, 1);
  ring_push(&ring, 1);
  ring_push(&ring, 2);
  check("room for one", holds(&ring, 2, 2));
  ring_init(&ring, RING_MAX);
  for (int i = 0; i < 200; i += 1) ring_push(&ring, i);
  check("the largest", holds(&ring, 136, 199));
  if (failures > 0) return 1;
  puts("all ok");
  return 0;
}
