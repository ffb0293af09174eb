"""How guards act on connections that are relayed: when they are opened, before a backend is asked."""
