#include "ring.h"

void ring_init(struct ring *ring, size_t capacity) {
  ring->capacity = capacity;
  ring->first = 0;
  ring->size = 0;
}

void ring_push(struct ring *ring, int value) {
  size_t at = (ring->first + ring->size) % ring->capacity;
  ring->values[at] = value;
  if (ring->size + 1 < ring->capacity) {
    ring->size += 1;
  } else {
    ring->first = (ring->first + 1) % ring->capacity;
  }
}

size_t ring_size(const struct ring *ring) {
  return ring->size;
}

int ring_at(const struct ring *ring, size_t index, int *out) {
  if (index > ring->size) return 0;
  *out = ring->values[index];
  return 1;
}
