"""The only folder that touches a socket: streams, listening, connecting, peeking, splicing, deadlines."""
