/** Where the addon is: what was built here comes before what the package has brought. */
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { system } from './system.js'

/** This file; empty where a bundler has left nothing of its place. Programs that copy what is needed read these very words too. */
export const ownFile = import.meta.url ? fileURLToPath(import.meta.url) : ''

/** The package's folder: two above lib/native/, dist/native/ and dist/bundled/ alike. Means nothing where this file was bundled. */
export const root = join(dirname(ownFile), '../..')

export const ADDON = 'sigshield.node'

const inPackage = (part: string) => join(root, part)

/** Of the tarball; the repository's own stand at its top. */
export const SOURCES = inPackage('source')

/** Folders that may hold the addon, the best first. */
export function folders(): string[] {
  // For builds of other kinds, and nothing else is looked for then.
  const chosen = process.env.SIGSHIELD_PREBUILD
  if (chosen) return [resolve(chosen, 'build/Release')]
  if (ownFile === '') return []
  return [inPackage('build/Release'), inPackage('source/build/Release'), join(root, 'prebuilds', system())]
}

/** A file, and one that the permission model does not hide. */
export function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    return false
  }
}

/** Undefined where there is none. */
export function addonFile(): string | undefined {
  return folders()
    .map((folder) => join(folder, ADDON))
    .find(isThere)
}
