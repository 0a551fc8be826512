from service.api.app import main

main()
