import type { Scenery } from './scene.ts';

/** Says how to look at what runs, and stays until Ctrl-C. */
export async function lookAround({ stage, watching, screen }: Scenery): Promise<void> {
  screen.heading('It stays. In another terminal:');
  screen.command(`npm start -- status --url ${watching.url}`);
  screen.command(`npm start -- events --state ${watching.orchestrator.state} --follow`);
  screen.command(`DOCKER_HOST=${stage.engine.dockerHost} docker ps`);
  screen.command(
    `cd ${stage.repository.work} && $EDITOR ecosystem-manifest.yaml && git commit -am 'Try' && git push origin main`,
  );
  screen.say('');
  screen.say('Ctrl-C ends it and takes everything away.');
  const heartbeat = setInterval(() => undefined, 60_000); // nothing else keeps this process alive
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  clearInterval(heartbeat);
}
