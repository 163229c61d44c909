// npm run test:nodes [-- VERSION...]: runs what depends on Node on every supported one, over one build of the addon.
import { execFileSync, spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { npmProgram } from './support/npm-program.mjs'

const supported = ['20', '22', '24', '26']
const versions = process.argv.length > 2 ? process.argv.slice(2) : supported
const root = join(import.meta.dirname, '..')

for (const version of versions) {
  const node = npmProgram(`node-${process.platform}-${process.arch}`, version, 'bin/node')
  console.log(`\nNode ${version}: ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`)
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const run = spawnSync(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project=!kernel'], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  if (run.status !== 0) throw new Error(`The suite fails on Node ${version}`)
}
