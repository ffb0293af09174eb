"""
How guards act on requests: a module for the filter of each kind, a row for each in C{registry}.

The values themselves are in L{edgegate.model.guards}, what they decide by in L{edgegate.access}.
"""
