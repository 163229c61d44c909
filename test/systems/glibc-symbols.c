// What Debian's libstdc++ and libgcc ask of glibc and musl does not have: in place of the ld-linux that they link with.
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded;

uint32_t arc4random(void) {
  uint32_t value = 0;
  getrandom(&value, sizeof value, 0);
  return value;
}

size_t __strftime_l(char* text, size_t size, const char* format, const struct tm* time, locale_t locale) {
  return strftime_l(text, size, format, time, locale);
}

unsigned long __isoc23_strtoul(const char* text, char** end, int base) { return strtoul(text, end, base); }

// Numbers of 128 bits: nobody here reads or writes any.
int strfromf128(char* text, size_t size, const char* format, __float128 value) {
  (void)text;
  (void)size;
  (void)format;
  (void)value;
  abort();
}
__float128 strtof128(const char* text, char** end) {
  (void)text;
  (void)end;
  abort();
}

// Destructors of threads are not run: a smoke test can do without.
int __cxa_thread_atexit_impl(void (*destroy)(void*), void* object, void* library) {
  (void)destroy;
  (void)object;
  (void)library;
  return 0;
}

// Not found: dl_iterate_phdr is asked then.
int _dl_find_object(void* address, void* result) {
  (void)address;
  (void)result;
  return -1;
}

// No processor has features.
struct {
  unsigned vendor, type, subtype, features[1];
} __cpu_model;
int __cpu_indicator_init(void) { return 0; }
