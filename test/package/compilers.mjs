/** What compilers and checkers of packages make of it. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { npmProgram } from '../support/npm-program.mjs'
import { root } from '../systems/machine.mjs'
import { Project } from './project.mjs'
import { attw, load } from './tools.mjs'

/** @typedef {import('./run.mjs').Case} Case */

/**
 * The last that knows how Node 10 looked for modules, and the repository's.
 * @type {Record<'5.9' | '6', () => string>}
 */
const compilers = {
  5.9: () => npmProgram('typescript', '5.9', 'bin/tsc'),
  6: () => join(root, 'node_modules/typescript/bin/tsc'),
}

/** `types`: of which Node; the repository's own by default. */
/** @type {{ module: string, resolution: string, compiler: '5.9' | '6', type: 'module' | 'commonjs', types?: string }[]} */
const settings = [
  { module: 'commonjs', resolution: 'node10', compiler: '5.9', type: 'commonjs' },
  { module: 'node16', resolution: 'node16', compiler: '5.9', type: 'commonjs' },
  { module: 'node16', resolution: 'node16', compiler: '5.9', type: 'module' },
  { module: 'node16', resolution: 'node16', compiler: '6', type: 'commonjs' },
  { module: 'nodenext', resolution: 'nodenext', compiler: '6', type: 'commonjs' },
  { module: 'nodenext', resolution: 'nodenext', compiler: '5.9', type: 'module', types: '20.17' },
  { module: 'nodenext', resolution: 'nodenext', compiler: '5.9', type: 'commonjs', types: '22.12' },
  { module: 'nodenext', resolution: 'nodenext', compiler: '6', type: 'module' },
  { module: 'esnext', resolution: 'bundler', compiler: '6', type: 'module' },
  { module: 'preserve', resolution: 'bundler', compiler: '6', type: 'commonjs' },
]

/** Where the ways of a resolver differ most. */
const reduced = ['node10', 'node16']

/** @type {Case[]} */
export const compiling = [
  ...settings.map(({ module, resolution, compiler, type, types }) => ({
    name: `types: TypeScript ${compiler}, ${module}, ${resolution}, ${type}${types ? `, @types/node ${types}` : ''}`,
    isReduced: reduced.includes(resolution) && type === 'commonjs' && compiler === '5.9',
    async run(/** @type {import('./run.mjs').Context} */ { registry }) {
      const project = new Project(registry)
      await project.install()
      const modules = types
        ? join(npmProgram('@types/node', types, 'package.json'), '../../..')
        : join(root, 'node_modules')
      for (const name of ['@types/node', 'undici-types']) {
        cpSync(join(modules, name), join(project.folder, 'node_modules', name), { recursive: true })
      }
      mkdirSync(join(project.folder, 'src'))
      renameSync(join(project.folder, 'typed.ts'), join(project.folder, 'src/typed.ts'))
      project.write('package.json', JSON.stringify({ private: true, type }))
      const options = { module, moduleResolution: resolution, target: 'es2022', lib: ['es2023', 'esnext.disposable'] }
      const strict = {
        strict: true,
        exactOptionalPropertyTypes: true,
        types: ['node'],
        declaration: true,
        rootDir: 'src',
        outDir: 'out',
      }
      project.write('tsconfig.json', JSON.stringify({ compilerOptions: { ...options, ...strict }, include: ['src'] }))
      const { code, out } = await project.attempt(project.node, [compilers[compiler](), '-p', '.'])
      assert.equal(code, 0, out)
    },
  })),
  {
    name: 'attw',
    isReduced: true,
    async run({ tarball, registry }) {
      const project = new Project(registry)
      await project.script(attw(), [tarball, '--no-color'])
    },
  },
  {
    name: 'publint',
    isReduced: true,
    async run({ tarball }) {
      const { publint } = await load('publint')
      const bytes = readFileSync(tarball)
      const { messages } = await publint({
        pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) },
        strict: true,
      })
      // It knows no programs but Node's: bin/sigshield.js begins as a shell script.
      const said = messages.filter((/** @type {{ code: string }} */ { code }) => code !== 'BIN_FILE_NOT_EXECUTABLE')
      assert.deepEqual(said, [])
    },
  },
]
