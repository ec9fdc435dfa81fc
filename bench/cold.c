/* Runs a program once for each line on the standard input, as a new process, and says how long it took, its processor time and
   its largest resident memory. A program of its own because the memory of whoever starts a process is counted as that process's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int main(int count, char **arguments) {
  char line[16];
  if (count < 2) return 2;
  while (fgets(line, sizeof line, stdin)) {
    uint64_t start = now();
    pid_t child = fork();
    if (child == 0) {
      int out = open("/dev/null", O_WRONLY);
      if (out < 0 || dup2(out, 1) < 0) _exit(127);
      execv(arguments[1], arguments + 1);
      _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) return 1;
    uint64_t took = now() - start;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    uint64_t busy = ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000 +
                    ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
    printf("{\"ns\":%llu,\"busy\":%llu,\"kib\":%ld,\"result\":\"exit %d\"}\n", (unsigned long long)took, (unsigned long long)busy, usage.ru_maxrss, code);
    fflush(stdout);
  }
  return 0;
}
