// See public_notification.

const tell = (socket, message) => socket.send(JSON.stringify(message));

module.exports = {
  MarkAsRead(socket) {
    tell(socket, { answer: 'marked as read by HR' });
  },
  GetUnread() {},
  InformOfChange(socket, message, clients) {
    for (const client of clients.keys()) tell(client, message);
  },
};
