module.exports = {
  apps: [
    {
      name: 'shop',
      script: 'server.js',
      cwd: __dirname,
      env: { NODE_ENV: 'production' },
    },
  ],
};
