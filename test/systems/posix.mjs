// npm run test:posix [-- FILTER...]: the suite over native/platform/posix, which is the path of a Mac, on Linux. What Linux
// has not of a Mac stands in test/support/posix, and so do the differences. TEST_WITHOUT_PROC=1 tries it without /proc too.
import { join } from 'node:path'
import { need, root, run } from './machine.mjs'

need({ cmake: 'cmake', gcc: 'g++' })
for (const build of ['build', 'build:cmake']) run('npm', ['run', build], { cwd: root })

const env = {
  ...process.env,
  // The loader looks here first, also in the programs that tests start.
  SIGSHIELD_PREBUILD: join(root, 'build/cmake/posix'),
  TEST_SYSTEM: 'posix',
}
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)], {
  cwd: root,
  env,
})
