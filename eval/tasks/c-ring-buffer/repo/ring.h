#ifndef RING_H
#define RING_H

#include <stddef.h>

#define RING_MAX 64

/* The last readings, the oldest first. */
struct ring {
  int values[RING_MAX];
  size_t capacity;
  size_t first;
  size_t size;
};

/* Makes an empty ring with room for capacity values (1 to RING_MAX). */
void ring_init(struct ring *ring, size_t capacity);
/* Adds a value; the oldest one makes room when the ring is full. */
void ring_push(struct ring *ring, int value);
size_t ring_size(const struct ring *ring);
/* Writes the value at index (0 is the oldest) to out. Returns 1, or 0 when there is none. */
int ring_at(const struct ring *ring, size_t index, int *out);

#endif
