import { callTool } from '../../stage/mcp.ts';
import { isReady } from '../../stage/status.ts';
import type { Scene, Scenery } from '../scene.ts';

export const tools: Scene = {
  title: 'A client asks the status where a server is, and calls a tool there',
  async play({ watching, screen, claims }: Scenery) {
    const name = 'mcp-server-github';
    const { mcp_url: url } = await watching.status.server(name, isReady, 10_000);
    screen.command(`curl -s ${watching.url}/servers/github/status | jq -r .mcp_url`);
    screen.say(url ?? 'null');
    const answer = await callTool(url ?? '', 'whoami');
    screen.say(`tools: ${answer.tools.join(', ')}`);
    screen.say(`whoami answers: ${answer.text}`);
    claims.holds('an MCP client calls a tool', answer.text === `${name} 1.0.0`, answer.text, `${name} 1.0.0`);
  },
};
