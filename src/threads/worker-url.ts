import { extname } from 'node:path'

/**
 * Where a worker's entry file is: beside its caller, TypeScript in the sources and JavaScript in the build.
 * @param base The caller's `import.meta.url`. @param path Relative, without extension: `./hash-worker`.
 */
export function workerUrl(base: string, path: string): URL {
  // tsc rewrites the extensions of imports, but not of URLs.
  const extension = extname(new URL(base).pathname) === '.ts' ? '.ts' : '.js'
  return new URL(path + extension, base)
}
