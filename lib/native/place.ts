/** Where the addon is: what was built here comes before what the package has brought. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { system } from './system.js'

/** This file; undefined where a bundler has left nothing of its place. */
export const ownFile = (import.meta.url as string | undefined)?.startsWith('file:')
  ? fileURLToPath(import.meta.url)
  : undefined

/** The package's folder: two above lib/native/ and dist/native/ alike. Means nothing where this file was bundled. */
export const root = join(dirname(ownFile ?? process.execPath), '../..')

export const ADDON = 'sigshield.node'

/** Of the tarball; the repository's own stand at its top. */
export const SOURCES = join(root, 'source')

/** Folders that may hold the addon, the best first. */
export function folders(): string[] {
  // For builds of other kinds, and nothing else is looked for then.
  const chosen = process.env.SIGSHIELD_PREBUILD
  if (chosen) return [join(chosen, 'build/Release')]
  return [join(root, 'build/Release'), join(SOURCES, 'build/Release'), join(root, 'prebuilds', system())]
}

/** Undefined where there is none. */
export function addonFile(): string | undefined {
  return folders()
    .map((folder) => join(folder, ADDON))
    .find((file) => existsSync(file))
}
