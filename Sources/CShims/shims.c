#define _GNU_SOURCE
#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { guarded_regions_max = 64 };

// Written under the mutex, read by the signal handler, which may not take a lock: every field is an atomic
// word, and an entry counts only while its start is set.
static struct {
  uintptr_t start;
  size_t size;
  // For shared memory, pages are replaced one at a time, and counted.
  int is_shared;
  uint32_t faults;
} regions[guarded_regions_max];
static pthread_mutex_t regions_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static uintptr_t page_size;

static void on_bus_error(int signal, siginfo_t *info, void *context) {
  uintptr_t fault = (uintptr_t)info->si_addr;
  for (int i = 0; i < guarded_regions_max; i++) {
    uintptr_t start = __atomic_load_n(&regions[i].start, __ATOMIC_ACQUIRE);
    size_t size = __atomic_load_n(&regions[i].size, __ATOMIC_ACQUIRE);
    int is_shared = __atomic_load_n(&regions[i].is_shared, __ATOMIC_ACQUIRE);
    if (start == 0 || fault < start || fault - start >= size) continue;
    // A mapping that is only read has ended for good: its rest is replaced, from the faulting page on. In
    // shared memory the file may lack only this page's block, and the neighbouring pages are in use. mmap is
    // a plain system call here, and mappings start on a page.
    uintptr_t page = fault & ~(page_size - 1);
    size_t count = is_shared ? page_size : start + size - page;
    int protection = is_shared ? PROT_READ | PROT_WRITE : PROT_READ;
    if (mmap((void *)page, count, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
      // Counted once the page is mapped: a thread that sees the new number can map the file over it.
      if (is_shared) __atomic_fetch_add(&regions[i].faults, 1, __ATOMIC_ACQ_REL);
      return;
    }
  }
  // Not ours: the previous handler is restored, and takes effect when the instruction is run again.
  sigaction(SIGBUS, &previous, NULL);
  (void)signal;
  (void)context;
}

static int guard(void *start, size_t size, int is_shared) {
  static int installed;
  int slot = -1;
  pthread_mutex_lock(&regions_mutex);
  if (!installed) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    installed = sigaction(SIGBUS, &action, &previous) == 0;
  }
  for (int i = 0; i < guarded_regions_max && slot < 0; i++) {
    if (regions[i].start != 0) continue;
    slot = i;
    __atomic_store_n(&regions[i].size, size, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[i].is_shared, is_shared, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[i].faults, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[i].start, (uintptr_t)start, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&regions_mutex);
  return slot;
}

void shim_guard_region(void *start, size_t size) { guard(start, size, 0); }

int shim_guard_shared_region(void *start, size_t size) { return guard(start, size, 1); }

void shim_resize_guard(int slot, size_t size) {
  if (slot >= 0) __atomic_store_n(&regions[slot].size, size, __ATOMIC_RELEASE);
}

uint32_t shim_guard_faults(int slot) {
  return slot >= 0 ? __atomic_load_n(&regions[slot].faults, __ATOMIC_ACQUIRE) : 0;
}

void shim_unguard_region(void *start) {
  pthread_mutex_lock(&regions_mutex);
  for (int i = 0; i < guarded_regions_max; i++)
    if (regions[i].start == (uintptr_t)start)
      __atomic_store_n(&regions[i].start, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&regions_mutex);
}

int shim_signal_descriptor(const int *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error != 0) return -1;
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int shim_read_signal(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

int shim_closing_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int shim_pipe_capacity(int descriptor) { return fcntl(descriptor, F_GETPIPE_SZ); }

int shim_watch_process(int process) {
#ifdef SYS_pidfd_open
  // Executed programs don't inherit it.
  return (int)syscall(SYS_pidfd_open, process, 0);
#else
  (void)process;
  return -1;
#endif
}

int shim_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void shim_signal_event(int descriptor) {
  uint64_t one = 1;
  (void)!write(descriptor, &one, sizeof one);
}

void shim_clear_event(int descriptor) {
  uint64_t count;
  (void)!read(descriptor, &count, sizeof count);
}
