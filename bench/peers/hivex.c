/* The walk of bench/ours with libhivex: every name as text, every byte of data. One round for each line on the standard input. */
#include <hivex.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t keys, values, name_sum, data_bytes, data_sum;

/* Processor time of this thread: what others take of a busy core is not counted. */
static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t lanes(uint64_t word) {
  const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
  return (word & even) + (word >> 8 & even);
}

static uint64_t add_lanes(uint64_t lanes) {
  const uint64_t even = UINT64_C(0x0000ffff0000ffff);
  uint64_t pairs = (lanes & even) + (lanes >> 16 & even);
  return (pairs & 0xffffffff) + (pairs >> 32);
}

/* The sum of all bytes, eight at a time in four lanes of 16 bits; every program does it in the same way. */
static uint64_t sum(const char *bytes, size_t length) {
  uint64_t total = 0, word;
  size_t at = 0;
  while (at + 8 <= length) {
    /* 128 words add at most 128 * 2 * 255 to a lane, which fits. */
    size_t end = length - at < 1024 ? at + (length - at) / 8 * 8 : at + 1024;
    uint64_t all = 0;
    for (; at < end; at += 8) {
      memcpy(&word, bytes + at, 8);
      all += lanes(word);
    }
    total += add_lanes(all);
  }
  if (at == length) return total;
  if (length >= 8) {
    memcpy(&word, bytes + length - 8, 8);
    return total + add_lanes(lanes(word >> (64 - 8 * (length - at))));
  }
  for (; at < length; at++) total += (unsigned char)bytes[at];
  return total;
}

static void visit(hive_h *hive, hive_node_h node) {
  char *name = hivex_node_name(hive, node);
  if (!name) fail("name of a key");
  keys++;
  name_sum += sum(name, strlen(name));
  free(name);

  hive_value_h *list = hivex_node_values(hive, node);
  if (!list) fail("values");
  for (size_t i = 0; list[i]; i++) {
    char *key = hivex_value_key(hive, list[i]);
    if (!key) fail("name of a value");
    values++;
    name_sum += sum(key, strlen(key));
    free(key);
    hive_type type;
    size_t length;
    char *data = hivex_value_value(hive, list[i], &type, &length);
    if (!data) fail("data");
    data_bytes += length;
    data_sum += sum(data, length);
    free(data);
  }
  free(list);

  hive_node_h *children = hivex_node_children(hive, node);
  if (!children) fail("subkeys");
  for (size_t i = 0; children[i]; i++) visit(hive, children[i]);
  free(children);
}

int main(int count, char **arguments) {
  char line[16];
  if (count != 2) return 2;
  while (fgets(line, sizeof line, stdin)) {
    keys = values = name_sum = data_bytes = data_sum = 0;
    uint64_t start = now();
    hive_h *hive = hivex_open(arguments[1], 0);
    if (!hive) fail("open");
    uint64_t opened = now();
    visit(hive, hivex_root(hive));
    uint64_t whole = now();
    hivex_close(hive);
    printf("{\"open\":%" PRIu64 ",\"ns\":%" PRIu64 ",\"result\":\"%" PRIu64 " keys, %" PRIu64 " values, %" PRIu64
           " bytes of data, sums %" PRIu64 " and %" PRIu64 "\"}\n",
           opened - start, whole - start, keys, values, data_bytes, name_sum, data_sum);
    fflush(stdout);
  }
  return 0;
}
