"""SIP, sans-IO: message, transaction, dialog, leg, registrar, registration; endpoint alone has sockets."""
