/** Programs that are bundled: with sigshield external it works, and without it the error says so, where the program is moved too. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkOutput, Project } from './project.mjs'
import { load } from './tools.mjs'

/** @typedef {import('./run.mjs').Case} Case */

/** @typedef {{ folder: string, entry: string, out: string, external: string[], format: 'esm' | 'cjs' }} Task */

const names = ['sigshield', 'sigshield/child', 'sigshield/signals']

/** @type {Record<string, { formats: ('esm' | 'cjs')[], bundle(task: Task): Promise<unknown> }>} */
const bundlers = {
  esbuild: {
    formats: ['esm', 'cjs'],
    async bundle({ entry, out, external, format }) {
      const { build } = await load('esbuild')
      await build({
        entryPoints: [entry],
        outfile: out,
        bundle: true,
        platform: 'node',
        format,
        external,
        logLevel: 'error',
      })
    },
  },
  rollup: {
    formats: ['esm', 'cjs'],
    async bundle({ entry, out, external, format }) {
      const { rollup } = await load('rollup')
      const { nodeResolve } = await load('@rollup/plugin-node-resolve')
      const result = await rollup({
        input: entry,
        external,
        plugins: [nodeResolve({ exportConditions: ['node'] })],
        onwarn() {},
      })
      await result.write({ file: out, format, inlineDynamicImports: true })
    },
  },
  webpack: {
    formats: ['esm', 'cjs'],
    async bundle({ entry, out, external, format, folder }) {
      const { default: webpack } = await load('webpack')
      const isModule = format === 'esm'
      const stats = await new Promise((resolve, reject) => {
        webpack(
          {
            mode: 'production',
            target: 'node20',
            context: folder,
            entry,
            experiments: { outputModule: isModule },
            externals: Object.fromEntries(
              external.map((name) => [name, isModule ? `module ${name}` : `commonjs ${name}`]),
            ),
            output: {
              path: dirname(out),
              filename: out.slice(dirname(out).length + 1),
              ...(isModule ? { library: { type: 'module' } } : {}),
            },
            performance: false,
          },
          (/** @type {Error | null} */ error, /** @type {any} */ result) => (error ? reject(error) : resolve(result)),
        )
      })
      if (stats.hasErrors()) throw new Error(stats.toString({ errors: true }))
    },
  },
  vite: {
    formats: ['esm'],
    async bundle({ entry, out, external, folder }) {
      const { build } = await load('vite')
      await build({
        root: folder,
        configFile: false,
        logLevel: 'error',
        ssr: external.length > 0 ? { external } : { noExternal: true },
        build: {
          ssr: entry,
          outDir: dirname(out),
          emptyOutDir: false,
          rollupOptions: { output: { entryFileNames: out.slice(dirname(out).length + 1) } },
        },
      })
    },
  },
  ncc: {
    formats: ['cjs'],
    async bundle({ entry, out, external }) {
      const { default: ncc } = await load('@vercel/ncc')
      const { code, assets } = await ncc(entry, { externals: external, cache: false, quiet: true, minify: false })
      writeFileSync(out, code)
      for (const [name, { source }] of Object.entries(assets)) {
        mkdirSync(dirname(join(dirname(out), name)), { recursive: true })
        writeFileSync(join(dirname(out), name), source)
      }
    },
  },
}

/** @returns {Case} */
function bundler(/** @type {string} */ name, /** @type {'esm' | 'cjs'} */ format, /** @type {boolean} */ isExternal) {
  return {
    name: `${name}, ${format}, ${isExternal ? 'external' : 'bundled'}`,
    isReduced: name === 'esbuild' && !isExternal,
    async run({ registry }) {
      const project = new Project(registry)
      await project.install()
      const out = join(
        project.folder,
        `out/program.${format === 'esm' || (name === 'ncc' && !isExternal) ? 'mjs' : 'cjs'}`,
      )
      mkdirSync(dirname(out))
      // A top-level await is nothing for CommonJS.
      const entry = join(
        project.folder,
        isExternal && format === 'esm' ? 'check.mjs' : isExternal ? 'check.cjs' : 'refused.mjs',
      )
      const external = isExternal ? [...names, 'sigshield/package.json'] : []
      await /** @type {typeof bundlers[string]} */ (bundlers[name]).bundle({
        folder: project.folder,
        entry,
        out,
        external,
        format,
      })
      if (isExternal) {
        checkOutput(await project.run(project.node, [out]), 'prebuilds/linux-x64-glibc/sigshield.node')
        return
      }
      // Beside node_modules, where a bundler may have fixed what it is to load.
      checkRefused(await project.run(project.node, [out]))
      // To where it runs, as nothing but a bundle.
      const elsewhere = join(project.home, 'elsewhere')
      renameSync(dirname(out), elsewhere)
      rmSync(project.folder, { recursive: true })
      mkdirSync(project.folder)
      return checkRefused(await project.run(project.node, [join(elsewhere, out.slice(dirname(out).length))]))
    },
  }
}

/** What refused.mjs says. */
function checkRefused(/** @type {string} */ output) {
  const said = JSON.parse(output)
  if (said.code === 'started') return 'started: it brings the addon along'
  assert.equal(said.connected, false)
  assert.equal(said.code, 'ERR_DLOPEN_FAILED')
  assert.match(said.message, /bundled.* mark sigshield as external/)
  return undefined
}

/** @type {Case[]} */
export const bundling = [
  ...Object.entries(bundlers).flatMap(([name, { formats }]) =>
    formats.flatMap((format) => [true, false].map((isExternal) => bundler(name, format, isExternal))),
  ),
  {
    name: '@vercel/nft: the files that it traces are enough',
    async run({ registry }) {
      const project = new Project(registry)
      await project.install()
      const { nodeFileTrace } = await load('@vercel/nft')
      const entries = ['check.mjs', 'check.cjs'].map((file) => join(project.folder, file))
      const { fileList } = await nodeFileTrace(entries, { base: project.folder })
      const traced = new Project(registry, 'traced')
      for (const file of fileList) cpSync(join(project.folder, file), join(traced.folder, file))
      rmSync(project.folder, { recursive: true })
      await traced.check()
      const addons = [...fileList].filter((file) => file.endsWith('sigshield.node'))
      return `${fileList.size} files, addons: ${addons.join(', ')}`
    },
  },
]
