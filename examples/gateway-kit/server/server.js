// A sample server: /health says what STATUS says once POST /be?status=... told it so; /mcp answers with its name.
import { createServer } from 'node:http';

const version = process.env.VERSION || '1.0.0';
let status = 'ok';

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (request.method === 'POST' && pathname === '/be') status = searchParams.get('status') ?? 'ok';
  const known = ['/health', '/mcp', '/be'].includes(pathname);
  response.writeHead(known ? (status === 'down' ? 503 : 200) : 404, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({ status, version, timestamp: new Date().toISOString(), server: process.env.SERVER_NAME }),
  );
}).listen(Number(process.env.PORT || 8080));
process.on('SIGTERM', () => process.exit(0));
