#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The primary of a cluster with real Node workers, and cluster_engine.py in the engine's place.
#
# What a primary can get wrong, and where it is tested (a name alone is one of `play`, with
# other versions in node/versions.bats; R: noderolling.bats; N: node.bats):
#
#   a byte that is no line kills the worker       nonsense, full_channel, unit cluster/reply
#   an ACK too many, an unknown type, no socket   one_handle, unit cluster/reply
#   a line is sent in part                        full_channel, unit lib/ipcsend
#   two sockets on their way                      one_handle
#   a channel that is full                        full_channel
#   ETOOMANYREFS, EMFILE, NACK                    too_many_on_their_way, no_descriptors, nacks
#   an ACK waits behind sockets                   one_handle
#   nonsense from a worker                        nonsense, unit cluster/request, fuzz inbox
#   a line without end; a flood; sockets          too_much
#   gone in the middle of its answer              vanishing
#   NODE_SOCKET_NOTIFY_CLOSE                      nonsense
#   a bind that is not allowed                    errors, privileged, N: what cluster_listen does not allow
#   killed with connections unanswered            killed_unanswered
#   end of process and end of channel apart       gone_without_end, half_open
#   no answer                                     stuck
#   all dead                                      replaced, N: all workers stopped
#   all refuse                                    refusals
#   never listens                                 exclusive, R: ready = ipc, NODE_OPTIONS (ready = none)
#   the primary dies                              primary_killed, primary_killed_shared, primary_killed_while_asked
#   a channel is closed by the worker             leaving, half_open
#   status 0 is not "finished"                    N: worker.disconnect()
#   an id that was used                           R: start-first, twice
#   who is new listens on less                    ready_when_all_listen, R: a new generation that lacks a listener
#   two updates at once, fewer, a stop            R: two at once
#   port 0, TLS tickets and paths stay            port_0, tickets, path, path_for_all, replaced
#   a listener nobody wants any more              R: ready = ipc
#   websockets                                    R: a connection that was upgraded, N: websockets
#   environment of a generation, NODE_OPTIONS     R: apply, NODE_OPTIONS
#   backlog                                       backlog
#   datagrams and who is about to leave           udp_leaving
#   the client's address                          whence

load lib.bash

setup_file() {
	if ! command -v "${NODE:-node}" >/dev/null; then
		skip "there is no node here"
	fi
	if ! command -v openssl >/dev/null; then
		skip "there is no openssl here to make a certificate"
	fi
	export SCRATCH=$BATS_FILE_TMPDIR
	export CLUSTER=$OUT/libexec/supervisord/cluster KEY=$SCRATCH/key CERT=$SCRATCH/cert
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$KEY" -out "$CERT" -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost 2>/dev/null
}

play() {
	"$PYTHON" -S "$BATS_TEST_DIRNAME/cluster_engine.py" "$1"
}

@test "round-robin: each worker gets its turn, and knows that it is one" { play round_robin; }
@test "shared, reuse-port: workers have the socket" { play other_modes; }
@test "port 0: the same random port for all, another for the next server" { play port_0; }
@test "32 servers in one application" { play many_listeners; }
@test "what cannot be bound is an error with its name, with TLS too" { play errors; }
@test "a path: a stale one is taken over, and it goes with the last worker" { play path; }
@test "a path: readableAll and writableAll are its mode" { play path_for_all; }
@test "UDP is shared" { play udp; }
@test "https: a TLS session goes on with another worker" { play tickets; }
@test "a connection whose worker died before it answered is another's" { play killed_unanswered; }
@test "a worker that takes nothing is reported" { play stuck; }
@test "workers that refuse: all are served, and nobody spins" { play refusals; }
@test "disconnect: what it has is served, then it ends" { play disconnect; }
@test "worker.disconnect() of its own accord" { play leaving; }
@test "reuse-port: what is in the socket of a worker that does not come back is the others'" { play slot_left_empty; }
@test "a port outlives its workers, and who connects meanwhile waits" { play replaced; }
@test "ready is who listens on all that the run before it had" { play ready_when_all_listen; }
@test "the last one to close its server closes the port" { play closed_by_itself; }
@test "close and listen again" { play listening_again; }
@test "process.send both ways" { play messages; }
@test "messages too long, too many, or with sockets delay nobody" { play too_much; }
@test "a connection that a worker cannot be given is another's" { play nacks; }
@test "no descriptors for a connection: it waits" { play no_descriptors; }
@test "too many sockets on their way in the system: one waits" { play too_many_on_their_way; }
@test "one socket is on its way to a worker, acknowledgements overtake it" { play one_handle; }
@test "a worker that does not read: nothing is half a line, and what is dropped is said" { play full_channel; }
@test "workers that vanish in the middle of an answer" { play vanishing; }
@test "a worker has ended, and its channel is still open somewhere" { play gone_without_end; }
@test "a worker that closes its channel and stays is reported" { play half_open; }
@test "UDP: a worker that leaves takes no datagram with it" { play udp_leaving; }
@test "of the backlogs asked for the largest counts" {
	command -v ss >/dev/null || skip "there is no ss here"
	play backlog
}
@test "a worker knows its client's address" { play whence; }
@test "nonsense harms nobody" { play nonsense; }
@test "the primary killed ten times under load: nothing is lost" { play primary_killed; }
@test "the same with a shared socket" { play primary_killed_shared; }
@test "the primary killed while it is asked: the worker gets its answer" { play primary_killed_while_asked; }
@test "a port that needs a privilege is the engine's to bind" { play privileged; }
@test "exclusive: true does without the primary" { play exclusive; }
@test "memory of the primary" {
	[ -z "${SAN:-}" ] || skip "sanitizers take memory of their own"
	play memory
}
