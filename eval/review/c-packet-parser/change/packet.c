#include "packet.h"
#include <string.h>

char *packet_name(const unsigned char *data, size_t size) {
  char name[32];
  if (size == 0) return NULL;
  size_t length = data[0];
  memcpy(name, data + 1, length);
  name[length] = 0;
  return name;
}
