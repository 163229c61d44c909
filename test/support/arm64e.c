// Says whether its argument is a program that the guard must not be inserted into on macOS.
#include "../../native/guard/arm64e.h"

#include <stdio.h>

int main(int argc, char** argv) {
  puts(argc > 1 && has_arm64e_part(argv[1]) ? "arm64e" : "none");
  return 0;
}
