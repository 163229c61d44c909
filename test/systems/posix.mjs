// npm run test:posix [-- FILTER...]: the suite over native/platform/posix, which is the path of a Mac, on Linux. What Linux
// has not of a Mac stands in test/support/posix, and so do the differences.
import { join } from 'node:path'
import { need, root, run } from './machine.mjs'

need({ cmake: 'cmake', gcc: 'g++' })
for (const build of ['build', 'build:cmake']) run('npm', ['run', build], { cwd: root })

/** Files that start nothing by the addon, or nothing that others do not, and why. */
const leftOut = {
  'test/examples/!(languages).test.ts': 'what the pages show: the same calls as elsewhere',
  'test/command/{call,completion,package}.test.ts': 'wrong calls, the completion of shells, the tarball',
  'test/guard/files.test.ts': 'it reads files of programs',
  'test/house.test.ts': 'it reads the sources',
  'test/node/{other-runtimes,overloads}.test*.ts': 'what Bun and Deno are refused, and types',
  'test/protect/{libraries,supervisor}.test.ts': "whole trees are ended: a Mac has no target 'tree'",
  'test/signal/{names,policy}.test.ts': 'what is refused before a start',
  'test/native/kernel/**': 'what the child half of Linux asks of its kernel',
}

const env = {
  ...process.env,
  // The loader looks here first, also in the programs that tests start.
  SIGSHIELD_PREBUILD: join(root, 'build/cmake/posix'),
  TEST_SYSTEM: 'posix',
  TEST_LEFT_OUT: Object.keys(leftOut).join(';'),
}
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)], {
  cwd: root,
  env,
})
