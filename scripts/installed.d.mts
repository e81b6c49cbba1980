export function install(folder: string): Promise<string>
