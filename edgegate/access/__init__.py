"""What guards decide by, without Twisted: asked for each request, and by C{edgegate explain} for made-up ones."""
