// A connection that speaks `announce.v1`, in a page of its own.

export class Socket {
  static async sign(browser, server, user, ...scopes) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(server.page);
    const token = server.token(user, ...scopes);
    await page.evaluate(([url, given]) => new Promise((resolve, reject) => {
      const socket = new WebSocket(url, ['announce.v1']);
      const waiting = new Map();
      let last = 0;
      window.ask = (type, payload) => new Promise((answered, refused) => {
        last += 1;
        waiting.set(last, { answered, refused });
        socket.send(JSON.stringify({ type, id: last, payload }));
      });
      socket.onmessage = ({ data }) => {
        const { type, payload, replyTo } = JSON.parse(data);
        const { answered, refused } = waiting.get(replyTo) ?? {};
        if (type === 'error') refused?.(new Error(payload.message));
        else answered?.(payload);
      };
      socket.onerror = () => reject(new Error('no socket'));
      socket.onopen = () => window.ask('sign', { token: given }).then(resolve, reject);
    }), [`ws://${server.address}/websockets`, token]);
    return new Socket(page);
  }

  constructor(page) {
    this.page = page;
  }

  ask(type, payload) {
    return this.page.evaluate(([kind, given]) => window.ask(kind, given), [type, payload]);
  }

  async publish(draft) {
    return (await this.ask('publish', { feed: 'Public', ...draft })).announcement;
  }
}
