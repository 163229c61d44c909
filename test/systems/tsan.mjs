// npm run test:tsan: the native core with ThreadSanitizer, as a program of its own with four threads.
//
// Not seen: the child half, which is built without sanitizers and which TSan knows nothing of; system calls without libc;
// libuv, which is Debian's; and all of binding/, which is one thread's.
import { join } from 'node:path'
import { checkCore, packages } from './core-threads.mjs'
import { need, root, run } from './machine.mjs'

need(packages)
run('npm', ['run', 'build:tsan'], { cwd: root })
checkCore(
  join(root, 'build/tsan/core_threads'),
  { TSAN_OPTIONS: 'halt_on_error=1' },
  { race: /data race[\s\S]*child_environment/ },
)
