/** Where the server speaks MCP. */
export function mcpUrl(base: string, stage: string | undefined): URL {
  const url = new URL('/mcp', base)
  if (stage !== undefined) url.searchParams.set('stage', stage)
  return url
}
