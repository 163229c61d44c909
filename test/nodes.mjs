// npm run test:nodes [-- VERSION...]: runs the whole suite on every supported Node, over one build of the addon. The Nodes
// come from the npm registry into a cache outside the tree.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

const supported = ['20', '22', '24', '26']
const versions = process.argv.length > 2 ? process.argv.slice(2) : supported
const root = join(import.meta.dirname, '..')
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sigshield', 'nodes')
const distribution = `node-${process.platform}-${process.arch}`

function nodeOf(/** @type {string} */ version) {
  const folder = join(cache, version)
  const node = join(folder, 'node_modules', distribution, 'bin', 'node')
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', `${distribution}@${version}`], {
      cwd: folder,
      stdio: 'inherit',
    })
  }
  return node
}

for (const version of versions) {
  const node = nodeOf(version)
  console.log(`\nNode ${version}: ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`)
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const run = spawnSync(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run'], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  if (run.status !== 0) throw new Error(`The suite fails on Node ${version}`)
}
