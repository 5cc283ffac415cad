#include <stddef.h>
/** The name in a packet: one byte of length, then the name. NULL when there is none. */
char *packet_name(const unsigned char *data, size_t size);
