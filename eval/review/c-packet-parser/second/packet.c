#include "packet.h"
#include <stdlib.h>
#include <string.h>

char *packet_name(const unsigned char *data, size_t size) {
  if (size == 0) return NULL;
  size_t length = data[0];
  char *name = malloc(32);
  if (name == NULL) return NULL;
  memcpy(name, data + 1, length);
  name[length] = 0;
  return name;
}
