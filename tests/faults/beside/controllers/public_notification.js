// The controllers are no part of the documents. These do what the text says of them, with what the
// code hands them, and nothing else.

const tell = (socket, message) => socket.send(JSON.stringify(message));

module.exports = {
  CreateAndSendLogScheduleReminder: () => console.log('reminded of the schedule'),
  CreateAndSendLogHoursReminder: () => console.log('reminded of the hours'),
  Public(message, clients) {
    for (const socket of clients.keys()) tell(socket, message);
    console.log('known', [...clients.values()].map(({ id }) => id).join(' '));
  },
  Channels(socket) {
    tell(socket, { answer: 'published in a channel' });
  },
  MarkAsRead(socket) {
    tell(socket, { answer: 'marked as read by Global' });
  },
  GetUnread(socket) {
    tell(socket, { Intent: 'Get unread messages', of: socket.UserID, messages: [] });
    console.log('kept', ['Bearer', 'APIToken'].filter((name) => socket[name]).join(' '));
  },
};
