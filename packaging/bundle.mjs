/** The JavaScript that is published: an entry is two files, as a program waits for each one that it loads. */
import { join } from 'node:path'
import { rollup } from 'rollup'
import { minify } from 'terser'
import { root } from '../test/systems/machine.mjs'

/** Below the package's folder. Modules find their package two folders above themselves, as in lib/native/place.ts. */
const BUNDLED = 'dist/bundled'

const built = (/** @type {string} */ name) => join(root, 'dist', `${name}.js`)

/** Those that start nothing, and are to be small. */
const small = { child: built('child'), signals: built('signals') }

/** What two entries share is in a file of its own: a program that loads both has one library. */
const entries = { ...small, index: built('index'), preload: built('preload') }

/** A program of its own. */
const command = { command: built('command/main') }

function reached(/** @type {string[]} */ from, /** @type {import('rollup').GetModuleInfo} */ getModuleInfo) {
  const found = new Set(from)
  for (const id of found) for (const imported of getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  return found
}

/** @type {import('rollup').GetManualChunk} */
function sharedFile(id, { getModuleInfo }) {
  if (reached(Object.values(small), getModuleInfo).has(id)) return 'shared'
  return reached([entries.index], getModuleInfo).has(id) ? 'index' : undefined
}

/** By these a tracer of files (@vercel/nft) finds the addons: they are imported as they are. */
const IMPORT = /^import (?:\* as )?(\w+)?(?:, )?(\{[^}]*\})? from '(node:(?!path|module|url)[a-z_/]+)';$/gm

/** Installers only warn. */
const KNOWN_NODE = `if (!process.getBuiltinModule)
    throw new Error(\`sigshield needs Node.js 20.19 or later of 20, or 22.12 and newer: this is \${process.version}\`);
`

/** An import of a built-in module makes Node ask for all that it exports, and node:fs has its streams loaded for that. */
const builtins = {
  name: 'builtins',
  renderChunk: (/** @type {string} */ code) => {
    const asked = code.replace(IMPORT, (_, whole, names, from) =>
      [whole, names?.replaceAll(' as ', ': ')]
        .filter((bound) => bound !== undefined)
        .map((bound) => `const ${bound} = process.getBuiltinModule('${from}');`)
        .join('\n'),
    )
    return asked === code ? code : KNOWN_NODE + asked
  },
}

/** What a stack trace names keeps its name. */
const named = { keep_fnames: true, keep_classnames: true }

/** Node reads all of it at an import. */
const short = {
  name: 'short',
  renderChunk: (/** @type {string} */ code) =>
    minify(code, {
      module: true,
      compress: named,
      mangle: named,
      // An exception that nobody catches is shown with its line.
      format: { comments: false, ascii_only: true, max_line_len: 200 },
    }).then((result) => String(result.code)),
}

/** @param {string} folder - The package's. */
export async function bundle(folder) {
  for (const input of [entries, command]) {
    const graph = await rollup({
      input,
      external: /^node:/,
      plugins: [builtins, short],
      treeshake: false,
      onwarn: (warning) => {
        throw new Error(warning.message)
      },
    })
    const { output } = await graph.write({
      dir: join(folder, BUNDLED),
      chunkFileNames: '[name]-[hash].js',
      hoistTransitiveImports: false,
      ...(input === entries && { manualChunks: sharedFile }),
    })
    await graph.close()
    // Where an entry needs what another one does not export, that becomes a further file.
    const files = output.map(({ fileName }) => fileName).join(', ')
    if (input === entries && output.length !== Object.keys(entries).length + 1)
      throw new Error(`Too many files: ${files}`)
  }
}
