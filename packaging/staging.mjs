/** The folder that is packed. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, posix } from 'node:path'
import { root, run } from '../test/systems/machine.mjs'
import { bundle } from './bundle.mjs'
import { commonjs, published } from './manifest.mjs'

const read = (/** @type {string} */ file) => JSON.parse(readFileSync(file, 'utf8'))

/** @param {string} folder - It is made anew. */
export async function stage(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const manifest = read(join(root, 'package.json'))
  // Of the bench what the pages link to.
  const pages = ['docs', 'bench/RESULTS.md', 'bench/plots', 'CHANGELOG.md', 'README.md']
  for (const part of ['bin', 'examples', 'LICENSE', ...pages]) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  startBundled(join(folder, 'bin/sigshield.js'))
  declare(join(folder, 'dist'))
  await bundle(folder)
  const exports = /** @type {import('./manifest.mjs').Exports} */ (manifest.exports)
  addCommonjs(folder, Object.values(exports))
  addSources(join(folder, 'source'))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published(manifest), null, 2)}\n`)
}

/** The command's program loads what is built here, or what is published. */
function startBundled(/** @type {string} */ program) {
  const text = readFileSync(program, 'utf8')
  const start = text.replace("'../dist/command/main.js'", "'../dist/bundled/command.js'")
  if (start === text) throw new Error(`${program} does not load dist/command/main.js any more`)
  writeFileSync(program, start)
}

function declare(/** @type {string} */ dist) {
  const options = ['--outDir', dist, '--emitDeclarationOnly', '--sourceMap', 'false', '--declarationMap', 'false']
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  run(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...options], { stdio: ['ignore', 2, 2] })
}

/** Each entry once more, and its declarations read as those of CommonJS: one module, whoever loads it. */
function addCommonjs(/** @type {string} */ folder, /** @type {{ types: string, default: string }[]} */ entries) {
  const add = (/** @type {string} */ file, /** @type {string} */ content) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), content)
  }
  add('dist/commonjs/package.json', '{ "type": "commonjs" }\n')
  for (const { default: file } of entries) {
    add(commonjs(file), `'use strict'\nmodule.exports = require('../bundled/${posix.basename(file)}')\n`)
  }
  const wanted = entries.map(({ types }) => types)
  for (const file of wanted) {
    const declarations = readFileSync(join(folder, file), 'utf8')
    // Such an import needs esModuleInterop there, which is the user's choice.
    add(commonjs(file), declarations.replace(/^import (\w+) from '(node:\w+)'/gm, "import $1 = require('$2')"))
    for (const [, path = ''] of declarations.matchAll(/(?:from|import)\s*\(?'(\.[^']*)\.js'/g)) {
      const next = `./${posix.join(posix.dirname(file), path)}.d.ts`
      // It grows while it is gone through.
      if (!wanted.includes(next)) wanted.push(next)
    }
  }
}

/** What a build needs where no binary fits, below the top: installers build what they find there. */
function addSources(/** @type {string} */ folder) {
  const isSource = (/** @type {string} */ file) => !/^(\.|CMakeLists)/.test(basename(file))
  for (const part of ['binding.gyp', 'native']) {
    cpSync(join(root, part), join(folder, part), { recursive: true, filter: isSource })
  }
  const addonApi = dirname(createRequire(import.meta.url).resolve('node-addon-api'))
  for (const file of ['LICENSE.md', 'napi.h', 'napi-inl.h', 'napi-inl.deprecated.h']) {
    cpSync(join(addonApi, file), join(folder, 'node-addon-api', file))
  }
}
