// SPDX-License-Identifier: ISC
/*
 * worker.cjs: what each worker of a cluster loads before its application (NODE_OPTIONS, see supervisord.conf(5)).
 *
 * It does nothing until its primary says that the worker is about to be told to disconnect.  From then on each answer
 * says Connection: close, so that clients that keep their connections go elsewhere by themselves, and connections that
 * are idle when the server closes are closed a moment later instead of under a request that is on its way.  Nothing is
 * loaded, and nobody else's function replaced, before that.  Nobody who looks finds it in NODE_OPTIONS.
 */
'use strict';

const options = (process.env.NODE_OPTIONS || '').replace(/ ?--require "[^"]*\/worker\.cjs"$/, '');

if (options)
	process.env.NODE_OPTIONS = options;
else
	delete process.env.NODE_OPTIONS;

if (process.channel) {
	let told = false;

	process.on('internalMessage', (message) => {
		if (told || !message || message.cmd !== 'NODE_SUPERVISOR' || message.act !== 'gap')
			return;
		told = true;
		depart(Number(message.ms) || 0);
	});
}

function depart(ms) {
	const http = require('node:http');
	const { writeHead } = http.ServerResponse.prototype;

	http.ServerResponse.prototype.writeHead = function (...words) {
		if (!this.headersSent && words[0] !== 101) {
			this.shouldKeepAlive = false;
			if (this.hasHeader('connection'))
				this.setHeader('connection', 'close');
		}
		return writeHead.apply(this, words);
	};
	put_off_close(http.Server.prototype, ms);
	/* It is there only where Node was built with TLS. */
	if (process.versions.openssl)
		put_off_close(require('node:https').Server.prototype, ms);
}

/* Since Node 19 a server that is closed calls this. */
function put_off_close(prototype, ms) {
	const close = prototype.closeIdleConnections;

	if (close)
		prototype.closeIdleConnections = function () {
			setTimeout(() => close.call(this), ms).unref();
		};
}
