"""The servers of a workspace: started, watched, found by runs, and stopped without a trace."""
