// npm run test:posix [-- FILTER...]: the suite over native/platform/posix, which is the path of a Mac, on Linux. What Linux
// has not of a Mac stands in test/support/posix, and so do the differences.
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
// The kernel's rooms are about what the child half of Linux asks of it.
const projects = ['together', 'alone'].map((name) => `--project=${name}`)
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...projects, ...process.argv.slice(2)], {
  cwd: root,
  env,
})
