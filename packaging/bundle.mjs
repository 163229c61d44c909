/** The JavaScript that is published: an entry is a few files, as a program waits for each one that it loads. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../test/systems/machine.mjs'

/** Below the package's folder. Modules find their package two folders above themselves, as in lib/native/place.ts. */
const BUNDLED = 'dist/bundled'

const lib = (/** @type {string} */ name) => join(root, 'lib', `${name}.ts`)

/** What two entries share is in files of its own: a program that loads both has one library. */
const entries = { index: lib('index'), child: lib('child'), preload: lib('preload'), signals: lib('signals') }

/** A program of its own. */
const command = { command: lib('command/main') }

/** @param {string} folder - The package's. */
export async function bundle(folder) {
  for (const entryPoints of [entries, command]) {
    await build({
      entryPoints,
      absWorkingDir: root,
      outdir: join(folder, BUNDLED),
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      chunkNames: 'shared-[hash]',
      logLevel: 'warning',
    })
  }
}
