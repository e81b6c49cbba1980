/** A package to begin with: path -> content. Scripts are executable. */
export type Scaffold = Readonly<Record<string, string>>

export type ScaffoldMaker = (name: string) => Scaffold
