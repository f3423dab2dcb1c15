// SPDX-License-Identifier: ISC
// A worker of tests/e2e/cluster.bats.  What it is to do is in its arguments, words of the table at the end; what it does
// not do is what an application that knows nothing of us does not do.  It tells on standard output, a line each.
'use strict';
const cluster = require('node:cluster');
const http = require('node:http');
const fs = require('node:fs');

const say = (...words) => fs.writeSync(1, words.join(' ') + '\n');
const told = (name) => (error) => say(name, error.code);

function serve(port, host) {
	const server = http.createServer((request, response) => {
		if (request.url === '/slow')
			setTimeout(() => response.end(`${process.pid}\n`), 300);
		else if (request.url === '/block') {
			const end = Date.now() + 1000;
			while (Date.now() < end);
			response.end(`${process.pid}\n`);
		} else if (request.url === '/whence')
			response.end(`${request.socket.remoteAddress} ${request.socket.remotePort}\n`);
		else
			response.end(`${process.pid}\n`);
	});
	server.on('error', told('error'));
	server.listen(port, host, () => say('listening', JSON.stringify(server.address())));
	return server;
}

const actions = {
	http: (port) => serve(Number(port)),
	local: (port) => serve(Number(port), '127.0.0.1'),
	path: (path) => serve(path),
	forall: (path) => http.createServer().listen({ path, readableAll: true, writableAll: true },
	    () => say('listening')),
	exclusive: (port) => http.createServer((q, r) => r.end('x')).listen({ port: Number(port), exclusive: true },
	    () => say('listening')),
	backlog: (port, length) => http.createServer().listen({ port: Number(port), host: '127.0.0.1',
		backlog: Number(length) }, () => say('listening')),
	refuse: (port) => {
		const server = serve(Number(port), '127.0.0.1');
		server.maxConnections = 1;
	},
	https: (port, key, cert) => {
		const https = require('node:https');
		const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) },
		    (request, response) => response.end(`${process.pid} ${request.socket.isSessionReused()}\n`));
		server.on('error', told('error'));
		server.listen(Number(port), '127.0.0.1', () => say('listening'));
	},
	udp: (port) => {
		const socket = require('node:dgram').createSocket('udp4');
		socket.on('message', (message, from) => socket.send(`${process.pid}`, from.port, from.address));
		socket.on('error', told('error'));
		socket.bind(Number(port), '127.0.0.1', () => say('bound', socket.address().port));
	},
	closing: (port) => {
		const server = serve(Number(port), '127.0.0.1');
		process.on('message', () => server.close(() => say('closed')));
	},
	again: (port) => {
		const server = serve(Number(port), '127.0.0.1');
		server.once('listening', () => server.close(() => server.listen(Number(port), '127.0.0.1', () => say('again'))));
	},
	echo: () => process.on('message', (message) => process.send({ echo: message })),
	ready: () => process.send('ready'),
	whoami: () => say('worker', cluster.isWorker, cluster.worker.id),
	leave: () => process.on('message', (message) => message === 'leave' && cluster.worker.disconnect()),
	big: () => process.send({ big: 'x'.repeat(200000) }, () => process.send('after')),
	handles: () => {
		const net = require('node:net');
		const server = net.createServer().listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
			for (let i = 0; i < 20; i++)
				process.send({ handle: i }, server, (error) => say('sent', i, error));
		});
	},
	flood: () => {
		for (let i = 0; i < 20000; i++)
			process.send(i);
	},
	stay: () => setInterval(() => {}, 1000),
};

for (const word of process.argv.slice(2)) {
	const [name, ...rest] = word.split('=');
	actions[name](...rest.join('=').split(','));
}
