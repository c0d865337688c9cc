"""The compression suite over sockets, against any implementation."""
