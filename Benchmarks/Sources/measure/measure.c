// Runs a command a number of times and prints what the kernel says about each run:
//   USER_SECONDS SYSTEM_SECONDS WALL_SECONDS PEAK_RESIDENT_KIB STATUS
//
// In C and small, because the kernel counts what a parent had resident at the fork into the peak of
// the child: a script that measured by itself would report its own interpreter.

#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double seconds(struct timeval time) { return time.tv_sec + time.tv_usec / 1e6; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: measure RUNS OUTPUT COMMAND [ARGUMENT...]\n");
    return 2;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
  for (long run = 0; run < atol(argv[1]); run++) {
    double start = now();
    pid_t child;
    int error = posix_spawnp(&child, argv[3], &actions, NULL, argv + 3, environ);
    if (error != 0) {
      fprintf(stderr, "measure: start %s: %s\n", argv[3], strerror(error));
      return 2;
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0) {
      perror("measure: wait");
      return 2;
    }
    printf("%.6f %.6f %.6f %ld %d\n", seconds(usage.ru_utime), seconds(usage.ru_stime),
           now() - start, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
  }
  posix_spawn_file_actions_destroy(&actions);
  return 0;
}
