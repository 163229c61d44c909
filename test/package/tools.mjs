/** Tools that come from the registry: their scripts, and their modules. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { npmProgram } from '../support/npm-program.mjs'

const versions = {
  '@arethetypeswrong/cli': '0.18.5',
  '@rollup/plugin-node-resolve': '16.0.3',
  '@vercel/ncc': '0.45.0',
  '@vercel/nft': '1.11.5',
  esbuild: '0.28.2',
  publint: '0.3.25',
  rollup: '4.68.8',
  vite: '8.3.8',
  webpack: '5.112.2',
}

/** The script of a tool, by its package's name for it. */
export function tool(/** @type {string} */ name, /** @type {string} */ version, command = name) {
  const manifest = npmProgram(name, version, 'package.json')
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}

export const attw = () => tool('@arethetypeswrong/cli', versions['@arethetypeswrong/cli'], 'attw')

/** A tool's module. @returns {Promise<any>} */
export function load(/** @type {keyof typeof versions} */ name) {
  const folder = dirname(npmProgram(name, versions[name], 'package.json'))
  const { exports: entries, main, module } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const own = entries?.['.']?.import ?? entries?.['.'] ?? entries
  const entry = typeof own === 'string' ? own : (own?.default ?? own?.node ?? module ?? main)
  const file = createRequire(join(folder, 'package.json')).resolve(join(folder, entry))
  return import(pathToFileURL(file).href)
}
